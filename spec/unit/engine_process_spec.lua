-- Child processes and temporary folders of a command. That no child outlives its parent is shown
-- from outside, in spec/blackbox/test_listen.py.

local core = require("loyalhook.core")
local engine = require("loyalhook.engine")

local function ending(process)
  local until_ms = core.now_ms() + 20000
  while core.now_ms() < until_ms do
    local how, number = process:poll()
    if how then
      return how, number
    end
    engine.pause(5)
  end
  error("it goes on")
end

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read("*a")
  if file then
    file:close()
  end
  return text
end

describe("a process", function()
  local folder

  setup(function() folder = assert(engine.folder_new()) end)
  teardown(function() engine.folder_remove(folder) end)

  local function sh(script, more)
    local given = { argv = { "/bin/sh", "-c", script } }
    for key, value in pairs(more or {}) do
      given[key] = value
    end
    return assert(engine.process(given))
  end

  it("runs, and tells how it ended, as often as it is asked", function()
    local process = sh("exit 7")
    assert.are.same({ "exit", 7 }, { ending(process) })
    assert.are.same({ "exit", 7 }, { process:poll() })
    assert.is_true(process:pid() > 1)
    assert.is_true(process:close())
    assert.is_true(process:close())
    local pid, _, code = process:pid()
    assert.are.same({ nil, "closed" }, { pid, code })
  end)

  it("is told signals, alone or with its group", function()
    local process = sh("sleep 600 & wait")
    assert.is_nil((process:poll()))
    assert.is_true(process:signal("TERM"))
    assert.are.same({ "signal", 15 }, { ending(process) })
    assert.is_true(process:signal("KILL", "group")) -- the sleep
    assert.is_true(process:signal("KILL", "group"))
    process:close()
    assert.has_error(function() sh("exit"):signal("STOP") end)
  end)

  it("leads a group of its own, which goes when it is closed", function()
    local process = sh("sleep 600 & echo $! >" .. folder .. "/child; wait")
    local until_ms, child = core.now_ms() + 20000, nil
    while not child and core.now_ms() < until_ms do
      child = (read(folder .. "/child") or ""):match("^%d+")
      engine.pause(5)
    end
    local state = read("/proc/" .. child .. "/stat"):match("%) (.*)")
    assert.are.equal(process:pid(), tonumber(state:match("^%S %d+ (%d+)")))
    process:close()
    repeat
      state = (read("/proc/" .. child .. "/stat") or ") Z"):match("%) (%S)")
      engine.pause(5)
    until state == "Z" or core.now_ms() > until_ms
    assert.are.equal("Z", state) -- or gone
  end)

  it("writes where it is told to, reads nothing, and has no files of ours", function()
    local ours = assert(io.open(folder .. "/ours", "w"))
    local process = sh("cat; echo out; echo err >&2; ls /proc/self/fd", {
      stdout = folder .. "/out", stderr = folder .. "/err" })
    assert.are.same({ "exit", 0 }, { ending(process) })
    process:close()
    ours:close()
    local list = read(folder .. "/out")
    assert.matches("^out\n0\n1\n2\n3\n$", list) -- 3 is ls's own
    assert.are.equal("err\n", read(folder .. "/err"))
  end)

  it("has no signal blocked or ignored, whatever this process does", function()
    local process = sh("grep -E '^Sig(Blk|Ign)' /proc/self/status", { stdout = folder .. "/sig" })
    ending(process)
    process:close()
    for mask in read(folder .. "/sig"):gmatch("%x%x%x%x%x%x%x%x+") do
      assert.matches("0000000$", mask) -- 1 to 28; those from 32 on are the C library's
    end
  end)

  it("does not start where there is no program", function()
    local process, message, code = engine.process({ argv = { "/no/such/program" } })
    assert.is_nil(process)
    assert.are.equal("not_found", code)
    assert.matches("^/no/such/program: it does not start", message)
    process, message, code = engine.process({ argv = { folder } })
    assert.is_string(message)
    assert.are.same({ nil, "io" }, { process, code })
    process, message, code = engine.process({ argv = { "/bin/true" },
      stdout = "/no/such/folder/file" })
    assert.is_string(message)
    assert.are.same({ nil, "not_found" }, { process, code })
  end)

  it("wants a list of words", function()
    for _, argv in ipairs({ {}, { 1 }, { "/bin/true", {} } }) do
      assert.has_error(function() engine.process({ argv = argv }) end)
    end
    assert.has_error(function() engine.process({}) end)
    assert.has_error(function() engine.process() end)
  end)
end)

describe("a temporary folder", function()
  it("is the owner's alone and goes with what is in it", function()
    local folder = assert(engine.folder_new())
    assert.matches("/loyalhook%-run%.%w+$", folder)
    local process = assert(engine.process({ argv = { "/bin/sh", "-c",
      ("stat -c %%a %s; mkdir -p %s/a/b; echo x >%s/a/b/c; ln -s /etc %s/link"):format(folder,
        folder, folder, folder) }, stdout = folder .. "/said" }))
    ending(process)
    process:close()
    assert.are.equal("700\n", read(folder .. "/said"))
    assert.is_true(engine.folder_remove(folder))
    assert.is_nil(io.open(folder .. "/said"))
    assert.is_true(engine.folder_remove(folder))
    assert.is_not_nil(io.open("/etc/passwd")) -- no link was followed
  end)

  it("is the only thing that is removed", function()
    for _, path in ipairs({ "/tmp", "loyalhook-run.x", "/tmp/other", "" }) do
      assert.has_error(function() engine.folder_remove(path) end)
    end
  end)

  it("tells whether it belongs to root", function()
    assert.are.equal("boolean", type(engine.is_root()))
  end)
end)

describe("signals", function()
  -- Sends this process a signal.
  local function kill(name)
    local process = assert(engine.process({ argv = { "/bin/sh", "-c", "kill -" .. name
      .. " $PPID" } }))
    while not process:poll() do
      engine.pause(2)
    end
    process:close()
  end

  it("are read instead of ending the process, the first one", function()
    local signals = assert(engine.signals())
    assert.is_nil(signals:read())
    kill("TERM")
    assert.are.equal("TERM", signals:read())
    assert.is_nil(signals:read())
    assert.is_true(signals:close())
    assert.is_true(signals:close())
    signals = assert(engine.signals())
    kill("INT")
    assert.are.equal("INT", signals:read())
    signals:close()
  end)
end)
