-- The loyalhook command with the build that is measured: bin/loyalhook knows only build/.

os.exit(require("loyalhook.cli").main(arg), true)
