-- What `loyalhook work` reads in this folder; run.lua does the same in a program of its own.
return {
  store = "sqlite:inbox.db",
  handlers = {
    { file = "handlers/ledger.lua", path = "ledger.csv" },
  },
}
