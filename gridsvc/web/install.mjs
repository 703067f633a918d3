// Copies what the pages use of the npm packages into vendor/, and rewrites their few bare imports to relative
// ones: a browser knows no "preact" by itself, and an import map would have to stand inline in the page, which our
// Content-Security-Policy forbids. Nothing is bundled or minified anew: what is debugged is what was published.
//
//   npm ci && node install.mjs
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const packages = join(here, "node_modules");
const target = join(here, "vendor");
const made = join(here, "vendor.new");

// Module in vendor/, where it comes from, and the name by which others import it.
const MODULES = [
  ["preact.mjs", "preact/dist/preact.mjs", "preact"],
  ["preact-hooks.mjs", "preact/hooks/dist/hooks.mjs", "preact/hooks"],
  ["htm.mjs", "htm/dist/htm.mjs", "htm"],
  ["htm-preact.mjs", "htm/preact/index.mjs", "htm/preact"],
  ["signals-core.mjs", "@preact/signals-core/dist/signals-core.mjs", "@preact/signals-core"],
  ["signals.mjs", "@preact/signals/dist/signals.mjs", "@preact/signals"],
  ["maplibre-gl.mjs", "maplibre-gl/dist/maplibre-gl.mjs", "maplibre-gl"],
  ["maplibre-gl-worker.mjs", "maplibre-gl/dist/maplibre-gl-worker.mjs", null],
  ["uplot.mjs", "uplot/dist/uPlot.esm.js", "uplot"],
  ["idb.mjs", "idb/build/index.js", "idb"],
  ["terra-draw.mjs", "terra-draw/dist/terra-draw.modern.js", "terra-draw"],
  ["terra-draw-maplibre-gl-adapter.mjs", "terra-draw-maplibre-gl-adapter/dist/terra-draw-maplibre-gl-adapter.modern.js", "terra-draw-maplibre-gl-adapter"],
];
const FILES = [["maplibre-gl.css", "maplibre-gl/dist/maplibre-gl.css"], ["uplot.css", "uplot/dist/uPlot.min.css"]];
const LICENCES = ["preact", "htm", "@preact/signals", "@preact/signals-core", "maplibre-gl", "uplot", "idb", "terra-draw", "terra-draw-maplibre-gl-adapter", "@fontsource-variable/noto-sans-sc"];
const FONT = join(packages, "@fontsource-variable/noto-sans-sc");

if (!existsSync(packages)) {
  console.error(`${packages} is not there; run npm ci first`);
  process.exit(1);
}
rmSync(made, { recursive: true, force: true });
mkdirSync(join(made, "noto-sans-sc"), { recursive: true });

const byName = new Map(MODULES.filter(([, , name]) => name !== null).map(([file, , name]) => [name, file]));
const BARE = /(\b(?:from|import)\s*)(["'])([^"'./][^"']*)\2/g;
for (const [file, from, name] of MODULES) {
  const text = readFileSync(join(packages, from), "utf8");
  const rewritten = text.replace(BARE, (whole, before, quote, specifier) => {
    const known = byName.get(specifier);
    return known === undefined ? whole : `${before}${quote}./${known}${quote}`;
  }).replace(/^\/\/# sourceMappingURL=.*$/m, "");
  writeFileSync(join(made, file), rewritten);
  // For the type checker alone: what the module is, it says itself in its package.
  if (name !== null) {
    const whole = (name === "uplot" ? "" : `export * from "${name}";\n`) + (name === "htm" || name === "uplot" ? `export { default } from "${name}";\n` : "");
    writeFileSync(join(made, file.replace(/\.mjs$/, ".d.mts")), whole);
  }
}
for (const [file, from] of FILES) cpSync(join(packages, from), join(made, file));

// The weight axis alone; the slices are fetched as a page needs their characters.
const css = readFileSync(join(FONT, "wght.css"), "utf8");
writeFileSync(join(made, "noto-sans-sc.css"), css.replaceAll("./files/", "./noto-sans-sc/"));
// The map draws its text itself and must be told which file has which characters, or it draws before they are there.
const slices = [...css.matchAll(/url\(\.\/files\/([^)]+)\)[^;]*;\s*unicode-range:\s*([^;]+);/g)].map(([, file, ranges]) => [
  file, ranges.split(","),
]);
writeFileSync(join(made, "noto-sans-sc.mjs"), `export const slices = ${JSON.stringify(slices)};\n`);
writeFileSync(join(made, "noto-sans-sc.d.mts"), "export const slices: [file: string, ranges: string[]][];\n");
for (const name of readdirSync(join(FONT, "files"))) {
  if (name.endsWith("-wght-normal.woff2")) cpSync(join(FONT, "files", name), join(made, "noto-sans-sc", name));
}

const said = LICENCES.map((name) => {
  const { version, license } = JSON.parse(readFileSync(join(packages, name, "package.json"), "utf8"));
  const file = readdirSync(join(packages, name)).find((each) => /^licen[cs]e/i.test(each));
  return `${name} ${version} (${license})\n\n${file ? readFileSync(join(packages, name, file), "utf8").trim() : ""}\n`;
});
writeFileSync(join(made, "licences.txt"), said.join(`\n${"-".repeat(80)}\n\n`));

// The folder changes as a whole: a copy that broke off leaves the old one in place.
rmSync(target, { recursive: true, force: true });
renameSync(made, target);
