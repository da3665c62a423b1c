# loyalhook: build, test and care. `make` lists the targets; ./bootstrap installs what they need.
#
# Everything made lands under $(BUILD). The rooms without lua.h are compiled once (position
# independent) and shared by both VMs' modules and by the C tests; src/binding is compiled per VM.

CC      = gcc
CLANG   = clang
AR      = ar
PYTHON  = python3
LUA54   = lua5.4
LUAJIT  = luajit
BUILD   = build
PREFIX  = /usr/local
DESTDIR =

LUA54_INCDIR  = $(firstword $(wildcard /usr/include/lua5.4 /usr/local/include/lua5.4 /usr/local/include))
LUAJIT_INCDIR = $(firstword $(wildcard /usr/include/luajit-2.1 /usr/local/include/luajit-2.1 \
                  /usr/local/openresty/luajit/include/luajit-2.1))

CFLAGS   = -O2 -g
WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion \
           -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wwrite-strings -Wformat=2 \
           -Wundef -Wvla -Wswitch -Werror
LANGUAGE = -std=c11 -D_GNU_SOURCE -Isrc
HARDEN   = -fPIC -fvisibility=hidden -fstack-protector-strong
COMPILE  = $(CC) $(LANGUAGE) $(WARNINGS) $(CFLAGS) $(HARDEN) $(SANITIZE) -MMD -MP
LINK_SO  = $(CC) -shared $(SANITIZE) $(LDFLAGS) -Wl,-z,relro,-z,now,-z,nodelete

CORE_LIBS   = -lmbedcrypto
ENGINE_LIBS = -lmbedcrypto -lsqlite3 -lcurl -lpthread

# `make V=1` shows whole commands.
V =
ifeq ($(V),)
Q = @
say = @printf '  %-6s %s\n' '$(1)' '$(2)'
endif

# Rooms. core.so is what a web server needs to verify; engine.so is everything.
CORE_SOURCES   = $(wildcard src/core/*.c src/clock/*.c)
ENGINE_SOURCES = $(CORE_SOURCES) $(wildcard src/store/*.c src/store/*/*.c src/transport/*.c src/engine/*.c)
BINDING_SOURCES      = $(wildcard src/binding/*.c)
BINDING_ENGINE_ONLY  = $(wildcard src/binding/engine*.c src/binding/module_engine*.c src/binding/store*.c \
                         src/binding/worker*.c src/binding/post*.c)
BINDING_CORE_ONLY    = $(wildcard src/binding/core*.c src/binding/module_core*.c)
BINDING_CORE   = $(filter-out $(BINDING_ENGINE_ONLY),$(BINDING_SOURCES))
BINDING_ENGINE = $(filter-out $(BINDING_CORE_ONLY),$(BINDING_SOURCES))

SPEC_C         = $(wildcard spec/c/*.c spec/contract/*.c)
SPEC_MAINS     = $(filter $(wildcard spec/c/test_*.c spec/c/scenario.c spec/contract/test_*.c),$(SPEC_C))
SPEC_SUPPORT   = $(filter-out $(SPEC_MAINS),$(SPEC_C))

object   = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
CORE_OBJECTS   = $(call object,$(CORE_SOURCES))
ENGINE_OBJECTS = $(call object,$(ENGINE_SOURCES))
SUPPORT_OBJECTS = $(call object,$(SPEC_SUPPORT))
C_TESTS        = $(patsubst %.c,$(BUILD)/c/%,$(notdir $(SPEC_MAINS)))

MODULES = $(foreach vm,lua5.4 luajit,$(BUILD)/$(vm)/loyalhook/core.so $(BUILD)/$(vm)/loyalhook/engine.so)

.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL = help

.PHONY: help
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

# ---------------------------------------------------------------- build

.PHONY: build build-c
build: $(MODULES) ## the C modules for Lua 5.4 and LuaJIT
build-c: $(C_TESTS)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(COMPILE) -c -o $@ $<

$(BUILD)/obj/spec/%.o: spec/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(COMPILE) -I. -c -o $@ $<

$(BUILD)/lua5.4/obj/%.o: src/binding/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(COMPILE) -isystem $(LUA54_INCDIR) -c -o $@ $<

$(BUILD)/luajit/obj/%.o: src/binding/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(COMPILE) -isystem $(LUAJIT_INCDIR) -c -o $@ $<

define vm_modules
$(BUILD)/$(1)/loyalhook/core.so: $(CORE_OBJECTS) $(patsubst src/binding/%.c,$(BUILD)/$(1)/obj/%.o,$(BINDING_CORE))
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)
	$$(Q)$$(LINK_SO) -o $$@ $$(filter %.o,$$^) $$(CORE_LIBS)
$(BUILD)/$(1)/loyalhook/engine.so: $(ENGINE_OBJECTS) $(patsubst src/binding/%.c,$(BUILD)/$(1)/obj/%.o,$(BINDING_ENGINE))
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)
	$$(Q)$$(LINK_SO) -o $$@ $$(filter %.o,$$^) $$(ENGINE_LIBS)
endef
$(eval $(call vm_modules,lua5.4))
$(eval $(call vm_modules,luajit))

$(BUILD)/c/libloyalhook.a: $(ENGINE_OBJECTS) $(SUPPORT_OBJECTS)
	@mkdir -p $(@D)
	$(call say,AR,$@)
	@rm -f $@
	$(Q)$(AR) rcs $@ $(filter %.o,$^)

define c_test
$(BUILD)/c/$(basename $(notdir $(1))): $(call object,$(1)) $(BUILD)/c/libloyalhook.a
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) $$(SANITIZE) $$(LDFLAGS) -o $$@ $$(filter %.o %.a,$$^) -lcmocka $$(ENGINE_LIBS)
endef
$(foreach main,$(SPEC_MAINS),$(eval $(call c_test,$(main))))

# Programs of the bench: what it compares with, and a process with many Lua VMs.
BENCH_C        = $(wildcard spec/bench/*.c)
BENCH_PROGRAMS = $(addprefix $(BUILD)/bench/,sign poster caller inserter vms-lua5.4 vms-luajit)
BENCH_LINK = $(CC) $(SANITIZE) $(LDFLAGS) -o $@ $(filter %.o %.a,$^)

.PHONY: build-bench
build-bench: $(BENCH_PROGRAMS)

$(BUILD)/bench/%: $(BUILD)/obj/spec/bench/%.o $(BUILD)/c/libloyalhook.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(BENCH_LINK) $(ENGINE_LIBS) -ldl
$(BUILD)/lua5.4/obj/vms.o $(BUILD)/luajit/obj/vms.o: spec/bench/vms.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(COMPILE) -isystem $(if $(findstring luajit,$@),$(LUAJIT_INCDIR),$(LUA54_INCDIR)) -c -o $@ $<
$(BUILD)/bench/vms-lua5.4: $(BUILD)/lua5.4/obj/vms.o
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(BENCH_LINK) -llua5.4 -lpthread
$(BUILD)/bench/vms-luajit: $(BUILD)/luajit/obj/vms.o
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(BENCH_LINK) -lluajit-5.1 -lpthread

# A list of sources or flags that changed must rebuild what depends on it.
$(BUILD)/sources: FORCE
	@mkdir -p $(BUILD)
	@echo '$(ENGINE_SOURCES) $(BINDING_SOURCES) $(SPEC_SUPPORT)' | cmp -s - $@ || \
	  echo '$(ENGINE_SOURCES) $(BINDING_SOURCES) $(SPEC_SUPPORT)' > $@
$(BUILD)/flags: FORCE
	@mkdir -p $(BUILD)
	@echo '$(COMPILE)' | cmp -s - $@ || echo '$(COMPILE)' > $@
$(MODULES) $(BUILD)/c/libloyalhook.a: $(BUILD)/sources
$(ENGINE_OBJECTS) $(call object,$(SPEC_C) $(BENCH_C)): $(BUILD)/flags
$(foreach vm,lua5.4 luajit,$(patsubst src/binding/%.c,$(BUILD)/$(vm)/obj/%.o,$(BINDING_SOURCES))): $(BUILD)/flags
FORCE:

-include $(shell [ -d $(BUILD) ] && find $(BUILD)/obj $(BUILD)/lua5.4 $(BUILD)/luajit -name '*.d' 2>/dev/null)

# ---------------------------------------------------------------- tests

RUN = BUILD=$(BUILD) LUA54=$(LUA54) LUAJIT=$(LUAJIT) $(PYTHON) spec/run.py
SUITES = c scenarios lua tidy examples blackbox rocks openresty bench console

.PHONY: test test-unit test-c test-lua test-scenarios test-blackbox test-tidy test-rocks \
        test-openresty test-examples test-bench test-console test-browser test-browser-large \
        picture test-million test-model test-reload test-asan test-tsan test-valgrind
test: build build-c build-bench ## the everyday suite; ends with `N passed, N failed`
	@$(RUN) $(SUITES)
test-unit: build build-c ## C, Lua, scenarios and tidy: needs nothing running, ends in seconds
	@$(RUN) c scenarios lua tidy
test-c: build-c ## C unit tests (cmocka)
	@$(RUN) c
test-lua: build ## Lua specs (busted) on Lua 5.4 and on LuaJIT
	@$(RUN) lua
test-scenarios: build-c ## delivery stories (spec/scenarios)
	@$(RUN) scenarios
test-blackbox: build ## through the command line against a misbehaving endpoint
	@$(RUN) blackbox
test-tidy: ## layers, sizes, banned calls, pairs
	@$(RUN) tidy
test-examples: build ## every example and the sample code of the docs, offline
	@$(RUN) examples
test-rocks: build ## luarocks into empty trees for both VMs, used from a script and from nginx
	@$(RUN) rocks
test-openresty: build ## inside a real nginx
	@$(RUN) openresty
test-bench: build build-bench ## that every row of the bench runs; how fast is not asked
	@$(RUN) bench
test-console: ## what of the console needs no browser: pure modules, pinned libraries, house rules
	@$(RUN) console
test-browser: build ## the console in a real browser, on the real server
	@$(RUN) browser
picture: build ## docs/pictures/console.png anew, from the browser's scene; look at it
	PYTHONPATH=spec/harness:spec/blackbox PYTHONDONTWRITEBYTECODE=1 BUILD=$(BUILD) \
	  $(PYTHON) -m unittest discover -s spec/browser -p test_console.py -k picture_of_the_docs
	cp $(BUILD)/screenshots/console.png docs/pictures/console.png
test-browser-large: build ## the same, and a log of a hundred thousand; asks how fast (200 ms an answer)
	@LOYALHOOK_SPEC_LARGE=1 $(RUN) browser

test-million: build-c ## the request log of a million requests: bounded work for every filter
	LOYALHOOK_SPEC_REQUESTS=1000000 $(BUILD)/c/test_sqlite_pages

test-model: build-c ## the store against its models, 3,000 seeds each (SEED=n: that one)
	LOYALHOOK_SPEC_SEED=$(or $(SEED),1) LOYALHOOK_SPEC_SEEDS=$(if $(SEED),1,3000) $(BUILD)/c/test_model
	LOYALHOOK_SPEC_SEED=$(or $(SEED),1) LOYALHOOK_SPEC_SEEDS=$(if $(SEED),1,3000) $(BUILD)/c/test_model_tasks

test-reload: build ## nginx reloaded every second under load for a minute (in the suite: some seconds)
	LOYALHOOK_SPEC_RELOAD_S=60 ONLY=test_receiver_load $(RUN) openresty

test-asan: ## C tests and scenarios under AddressSanitizer and UBSan
	$(MAKE) build-c BUILD=$(BUILD)/asan CFLAGS='-O1 -g -fno-omit-frame-pointer' \
	  SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all'
	ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1 \
	  BUILD=$(BUILD)/asan $(PYTHON) spec/run.py c scenarios

test-tsan: ## where threads meet (the store's group commits), under ThreadSanitizer
	$(MAKE) $(patsubst spec/contract/%.c,$(BUILD)/tsan/c/%,$(wildcard spec/contract/test_sqlite*.c)) \
	  BUILD=$(BUILD)/tsan \
	  CFLAGS='-O1 -g -fno-omit-frame-pointer' SANITIZE='-fsanitize=thread'
	BUILD=$(BUILD)/tsan ONLY=test_sqlite $(PYTHON) spec/run.py c

# Leaks are test-asan's business: a test's forked child would "leak" all that its parent holds.
test-valgrind: build-c ## C tests and scenarios under valgrind
	BUILD=$(BUILD) WRAP='valgrind -q --error-exitcode=9 --leak-check=no' \
	  $(PYTHON) spec/run.py c scenarios

# ---------------------------------------------------------------- care

C_FILES   = $(wildcard src/*/*.[ch] src/*/*/*.[ch] spec/c/*.[ch] spec/contract/*.[ch] \
            spec/bench/*.[ch])
LUA_FILES = $(shell find lua types spec examples demo docs -name '*.lua' 2>/dev/null) bin/loyalhook
SH_FILES  = bootstrap .ci/run $(shell find spec examples demo -name '*.sh' 2>/dev/null)

.PHONY: lint lint-c lint-lua lint-sh format format-check generate verify
lint: lint-c lint-lua lint-sh ## clang build, clang-tidy, luacheck, shellcheck
lint-c:
	$(MAKE) build build-c CC=$(CLANG) BUILD=$(BUILD)/clang
	$(call say,TIDY,src)
	$(Q)clang-tidy --quiet $(filter src/%.c,$(filter-out src/binding/%,$(C_FILES))) -- $(LANGUAGE)
	$(Q)clang-tidy --quiet $(wildcard src/binding/*.c) -- $(LANGUAGE) -isystem $(LUA54_INCDIR)
lint-lua:
	$(call say,LINT,$(words $(LUA_FILES)) Lua files)
	$(Q)luacheck --quiet $(LUA_FILES)
	@for f in $(LUA_FILES); do \
	  $(LUA54) -e "assert(loadfile([[$$f]]))" && $(LUAJIT) -bl "$$f" >/dev/null || exit 1; done
lint-sh:
	$(call say,LINT,$(SH_FILES))
	$(Q)shellcheck $(SH_FILES)
	$(Q)$(LUA54) bin/loyalhook completion bash | shellcheck -s bash -

format: ## clang-format 14 over all C
	$(Q)clang-format -i $(C_FILES)
format-check: ## fails where `make format` would change something
	$(call say,FORMAT,$(words $(C_FILES)) C files)
	$(Q)clang-format --dry-run -Werror $(C_FILES)

GENERATE = LUA_PATH_5_4='lua/?.lua;lua/?/init.lua;;' LUA_CPATH_5_4='$(BUILD)/lua5.4/?.so;;' \
  $(LUA54) docs/generate.lua
generate: build ## writes what the docs have from the code (manual page, tables)
	@$(GENERATE)
verify: build ## fails where `make generate` would change something
	@$(GENERATE) --check

# ---------------------------------------------------------------- use

BENCH = BUILD=$(BUILD) LUA54=$(LUA54) LUAJIT=$(LUAJIT) $(PYTHON) spec/bench/bench.py

.PHONY: docs env demo console bench bench-large install clean ci
docs: ## the reference of the Lua API, from types/ with LDoc, into build/docs
	rm -rf $(BUILD)/docs && mkdir -p $(BUILD)/docs/source
	$(LUA54) docs/ldoc/translate.lua $(BUILD)/docs/source types/loyalhook/*.lua \
	  types/loyalhook/*/*.lua types/loyalhook/*/*/*.lua
	ldoc --fatalwarnings -c docs/ldoc/config.ld -d $(BUILD)/docs/lua $(BUILD)/docs/source

env: ## shell lines that let lua5.4, luajit and the shell find this checkout
	@echo 'export LUA_PATH_5_4="$(CURDIR)/lua/?.lua;$(CURDIR)/lua/?/init.lua;;"'
	@echo 'export LUA_CPATH_5_4="$(CURDIR)/$(BUILD)/lua5.4/?.so;;"'
	@echo 'export LUA_PATH="$(CURDIR)/lua/?.lua;$(CURDIR)/lua/?/init.lua;;"'
	@echo 'export LUA_CPATH="$(CURDIR)/$(BUILD)/luajit/?.so;;"'
	@echo 'export PATH="$(CURDIR)/bin:$$PATH"'

demo: build ## a store, webhooks, a real nginx, a few thousand events, and the sums
	@BUILD=$(BUILD) LUA=$(LUA54) LUAJIT=$(LUAJIT) exec sh demo/run.sh

console: build ## the admin console on what the last demo left; prints where
	@BUILD=$(BUILD) LUA=$(LUA54) LUAJIT=$(LUAJIT) exec sh demo/console.sh

bench: ## figures against yardsticks, as JSON; ONLY=row for one (docs/benchmarks.md)
	@$(MAKE) --no-print-directory build build-bench >&2
	@$(BENCH) $(ONLY)
bench-large: ## the row that needs minutes and gigabytes
	@$(MAKE) --no-print-directory bench ONLY=backlog_large

install: build ## for both VMs under PREFIX (/usr/local)
	@for module in argparse cjson; do $(LUA54) -e "require '$$module'" >/dev/null 2>&1 || { \
	  echo "install: $(LUA54) does not find $$module: install lua-$$module, or the rock" >&2; exit 1; }; done
	@for pair in lua5.4:5.4 luajit:5.1; do \
	  vm=$${pair%%:*}; version=$${pair##*:}; \
	  lib=$(DESTDIR)$(PREFIX)/lib/lua/$$version/loyalhook; share=$(DESTDIR)$(PREFIX)/share/lua/$$version; \
	  install -d "$$lib" && install -m 755 $(BUILD)/$$vm/loyalhook/*.so "$$lib" || exit 1; \
	  (cd lua && find loyalhook -name '*.lua') | while read -r file; do \
	    install -D -m 644 "lua/$$file" "$$share/$$file" || exit 1; done; \
	done
	install -d $(DESTDIR)$(PREFIX)/bin
	@{ echo '#!/usr/bin/env $(LUA54)'; \
	   echo 'do'; \
	   echo '  local version = rawget(_G, "jit") and "5.1" or "5.4"'; \
	   echo '  local share, lib = "$(PREFIX)/share/lua/" .. version, "$(PREFIX)/lib/lua/" .. version'; \
	   echo '  package.path = share .. "/?.lua;" .. share .. "/?/init.lua;" .. package.path'; \
	   echo '  package.cpath = lib .. "/?.so;" .. package.cpath'; \
	   echo 'end'; \
	   tail -n +2 bin/loyalhook; } > $(DESTDIR)$(PREFIX)/bin/loyalhook
	chmod 755 $(DESTDIR)$(PREFIX)/bin/loyalhook
	@for pair in bash:bash-completion/completions/loyalhook zsh:zsh/site-functions/_loyalhook \
	    fish:fish/vendor_completions.d/loyalhook.fish; do \
	  file=$(DESTDIR)$(PREFIX)/share/$${pair#*:}; install -d "$$(dirname "$$file")" || exit 1; \
	  $(LUA54) bin/loyalhook completion "$${pair%%:*}" > "$$file" || exit 1; \
	done
	install -D -m 644 docs/man/loyalhook.1 $(DESTDIR)$(PREFIX)/share/man/man1/loyalhook.1
	@(cd types && find loyalhook -name '*.lua') | while read -r file; do \
	  install -D -m 644 "types/$$file" "$(DESTDIR)$(PREFIX)/share/loyalhook/types/$$file" || exit 1; done
	@find console -type f | while read -r file; do \
	  install -D -m 644 "$$file" "$(DESTDIR)$(PREFIX)/share/loyalhook/$$file" || exit 1; done

clean: ## removes everything made
	rm -rf $(BUILD)

ci: ## what CI does: format, lint, the everyday suite, sanitizers
	$(MAKE) format-check lint verify
	$(MAKE) test
	$(MAKE) test-asan
