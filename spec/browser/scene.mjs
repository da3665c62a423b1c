// Runs one scene: node scene.mjs NAME. Exit code 0 if it ended well.

const [name] = process.argv.slice(2);
const browser = await import("./browser.mjs");
try {
  const { default: play } = await import(`./scenes/${name}.mjs`);
  await play();
} catch (error) {
  console.error(error.stack);
  process.exitCode = 1;
} finally {
  await browser.close();
}
