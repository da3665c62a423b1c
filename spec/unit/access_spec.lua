-- Tokens, users, logins and the audit log, as the API and the command line use them.

local access = require("loyalhook.access")
local loyalhook = require("loyalhook")

local PASSWORD = "correct horse battery"
local START_MS = 1767348000000 -- 2026-01-02T10:00:00Z
local BY = { who = "user:anna" }

describe("access", function()
  local folder, sender, door, now_ms

  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
    sender = assert(loyalhook.sender.open({ store = folder .. "/s.db", create = true }))
    now_ms = START_MS
    door = access.new({ store = sender._store, now_ms = function() return now_ms end })
  end)

  after_each(function()
    sender:close()
    os.execute("rm -rf " .. folder)
  end)

  local function refused(wanted, result, message, code, wait_ms)
    assert.is_nil(result)
    assert.are.equal(wanted, code)
    assert.is_nil(message:find("\n", 1, true))
    return message, wait_ms
  end

  local function add(name, role)
    return assert(door:add_user({ user = name, password = PASSWORD, role = role }, BY))
  end

  describe("of programs", function()
    it("is a token that is shown once and holds until it is revoked", function()
      local token = assert(door:create_token({ name = "crm", account = "shop-7",
        scope = "write" }, BY))
      local text = token.token
      assert.matches("^lhk_" .. ("%x"):rep(64) .. "$", text)
      assert.are.equal("2026-01-02T10:00:00.000Z", token.created_at)
      assert.are.same({ id = token.id, name = "crm", account = "shop-7", scope = "write" },
        assert(door:check_token(text)))
      local listed = assert(door:tokens())
      assert.is_nil(listed[1].token)
      assert.are.equal("2026-01-02T10:00:00.000Z", listed[1].last_used_at)
      assert.is_nil(listed[1].revoked_at)
      now_ms = now_ms + 1000
      assert.are.equal("2026-01-02T10:00:01.000Z", assert(door:revoke_token("crm", BY)).revoked_at)
      assert.are.equal("token: unknown or revoked", refused("denied", door:check_token(text)))
      refused("not_found", door:revoke_token("crm 2", BY))
    end)

    it("says what is wrong with a new one", function()
      assert.matches("^scope: ", refused("invalid", door:create_token({ name = "a",
        scope = "admin" })))
      assert.matches("^scope: ", refused("invalid", door:create_token({ name = "a" })))
      assert.matches("^name: ", refused("invalid", door:create_token({ scope = "read" })))
      assert.matches("^name: ", refused("invalid", door:create_token({ name = ("n"):rep(101),
        scope = "read" })))
      assert.matches("^account: ", refused("invalid", door:create_token({ name = "a",
        scope = "read", account = "no account" })))
      assert.matches("NUL", (refused("invalid", door:create_token({ name = "a\0b",
        scope = "read" }))))
      assert.is_nil(assert(door:create_token({ name = "all", scope = "read" })).account)
      refused("conflict", door:create_token({ name = "all", scope = "read" }))
      assert.has_error(function() door:create_token({ nam = "a" }) end,
        'create_token: unknown option nam; did you mean "name"?')
    end)

    it("takes nothing else for a token, whatever it is", function()
      for _, text in ipairs{ "", "lhk_", "Bearer x", ("lhk_%064d"):format(0),
        ("lhl_%064d"):format(0), ("x"):rep(100000), "a\0b" } do
        refused("denied", door:check_token(text))
      end
      assert.has_error(function() door:check_token(nil) end,
        "check_token: expected a token, got nil")
    end)

    it("makes whoever brings wrong ones wait", function()
      for _ = 1, 30 do
        assert.is_true(door:knock("192.0.2.1"))
      end
      local message, wait_ms = refused("too_many", door:knock("192.0.2.1"))
      assert.are.equal("too many wrong tries: the next one in 20 s", message)
      assert.are.equal(20000, wait_ms)
      assert.is_true(door:knock("192.0.2.2"))
      now_ms = now_ms + 20000
      assert.is_true(door:knock("192.0.2.1"))
      assert.is_true(door:welcome("192.0.2.1"))
      assert.is_true(door:knock("192.0.2.1"))
    end)
  end)

  describe("of people", function()
    it("begins with a first-run token", function()
      assert.is_true(door:needs_first_run())
      local token = assert(door:make_first_run({}, { who = "command line" }))
      local given = { token = token, user = "anna", password = PASSWORD, address = "192.0.2.1" }
      given.token = ("lhf_%064d"):format(0)
      refused("denied", door:first_run(given))
      given.token, given.password = token, "short"
      assert.matches("^password: ", refused("invalid", door:first_run(given)))
      given.password = PASSWORD
      local login = assert(door:first_run(given))
      assert.are.equal("admin", login.role)
      assert.is_false(door:needs_first_run())
      given.user = "mallory"
      refused("refused", door:first_run(given))
      refused("refused", door:make_first_run())
      assert.are.equal("anna", assert(door:check_login(login.login)).user)
    end)

    it("signs in with a password and out again", function()
      add("anna", "admin")
      local login = assert(door:sign_in({ user = "Anna", password = PASSWORD,
        address = "192.0.2.1" }))
      assert.matches("^lhl_" .. ("%x"):rep(64) .. "$", login.login)
      assert.are.equal("anna", login.user)
      local found = assert(door:check_login(login.login))
      assert.are.same({ user = "anna", role = "admin", csrf = login.csrf,
        created_at = "2026-01-02T10:00:00.000Z", expires_at = "2026-01-02T22:00:00.000Z" }, found)
      refused("denied", door:check_token(login.login))
      assert.is_true(door:sign_out(login.login, BY))
      assert.is_true(door:sign_out(login.login, BY))
      assert.is_true(door:sign_out("nothing", BY))
      refused("denied", door:check_login(login.login))
    end)

    it("counts wrong passwords, of one user over all addresses", function()
      add("anna", "admin")
      local given = { user = "anna", password = "wrong" }
      for n = 1, 2 do
        given.address = "192.0.2." .. n
        assert.are.equal("the name or the password is wrong", refused("denied",
          door:sign_in(given)))
      end
      for n = 3, 10 do
        assert.are.equal(0, sender._store:knock({ address = "192.0.2." .. n, user = "ANNA" },
          now_ms))
      end
      given.address, given.password = "192.0.2.99", PASSWORD
      local _, wait_ms = refused("too_many", door:sign_in(given))
      assert.are.equal(60000, wait_ms)
      now_ms = now_ms + 60000
      assert(door:sign_in(given))
      assert(door:sign_in(given)) -- being right is never too often
    end)

    it("changes, disables and removes, but never the last admin", function()
      add("anna", "admin")
      add("vera", "viewer")
      local login = assert(door:sign_in({ user = "vera", password = PASSWORD }))
      local listed = assert(door:users())
      assert.are.same({ "anna", "vera" }, { listed[1].user, listed[2].user })
      assert.is_nil(listed[1].last_seen_at)
      assert.are.equal("2026-01-02T10:00:00.000Z", listed[2].last_seen_at)
      assert.is_true(assert(door:set_user("vera", { disabled = true }, BY)).disabled)
      refused("denied", door:check_login(login.login))
      refused("refused", door:remove_user("anna", BY))
      refused("refused", door:set_user("anna", { role = "viewer" }, BY))
      assert.are.equal("admin", assert(door:set_user("vera", { role = "admin", disabled = false },
        BY)).role)
      assert.are.equal("anna", assert(door:remove_user("anna", BY)).user)
      refused("not_found", door:remove_user("anna", BY))
      assert.matches("^role: ", refused("invalid", door:set_user("vera", { role = "root" }, BY)))
      refused("invalid", door:set_user("vera", {}, BY))
    end)

    it("changes a password for whoever knows the present one", function()
      add("anna", "admin")
      local login = assert(door:sign_in({ user = "anna", password = PASSWORD }))
      local given = { user = "anna", password = "wrong", new_password = "another long one" }
      refused("denied", door:change_password(given))
      given.password = PASSWORD
      assert.is_true(door:change_password(given))
      refused("denied", door:check_login(login.login))
      assert(door:sign_in({ user = "anna", password = "another long one" }))
    end)
  end)

  it("notes who changed what", function()
    add("anna", "admin")
    assert(door:create_token({ name = "crm", scope = "read", account = "shop-7" },
      { who = "user:anna", detail = '{"why":"new shop"}' }))
    refused("conflict", door:create_token({ name = "crm", scope = "read" }, BY))
    assert.is_true(door:note({ who = "token:x", what = "webhook.edit", object = "w",
      account = "shop-7", detail = '{"batch_size":5}' }))
    local entries = assert(door:audit())
    assert.are.equal(3, #entries)
    assert.are.same({ id = 3, at = "2026-01-02T10:00:00.000Z", who = "token:x",
      what = "webhook.edit", object = "w", account = "shop-7", detail = { batch_size = 5 } },
      entries[1])
    assert.are.equal("token.create", entries[2].what)
    assert.are.same({ why = "new shop" }, entries[2].detail)
    assert.are.equal("user.add", entries[3].what)
    assert.are.same({ role = "admin" }, entries[3].detail)
    assert.are.equal("anna", entries[3].object)
    local page, following = assert(door:audit({ account = "shop-7", limit = 1 }))
    assert.are.equal(3, page[1].id)
    page, following = door:audit({ account = "shop-7", limit = 1, after = following })
    assert.are.equal(2, page[1].id)
    assert.is_nil(following)
    assert.matches("^detail: ", refused("invalid", door:note({ who = "a", what = "b",
      detail = "no JSON" })))
    assert.are.equal(1, #assert(door:audit({ what = "token." })))
  end)

  it("opens a store of its own", function()
    local own = assert(access.open({ store = folder .. "/s.db" }))
    assert(own:create_token({ name = "crm", scope = "read" }))
    own:close()
    own:close()
    refused("closed", own:tokens())
    assert.are.equal(1, #assert(door:tokens()))
    door:close()
    assert(sender:webhooks()) -- the sender's store is the sender's
    refused("store_missing", access.open({ store = folder .. "/other.db" }))
    assert.has_error(function() access.new({}) end, "access.new: expected store = an open store")
  end)
end)
