// Writes dist/sbom.cdx.json: the production packages of package-lock.json, as CycloneDX 1.5. The same lock file and npm give the same bytes.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { name } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));

// Not `--omit=dev`: npm takes each package that any package names among its devDependencies for one of those, commander and debug among them.
const args = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'];
const options = { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 ** 2, stdio: ['ignore', 'pipe', 'inherit'] };
const { metadata, components, dependencies, ...sbom } = JSON.parse(execFileSync('npm', args, options));
const production = components.filter(
  ({ properties = [] }) => !properties.some((property) => property.name === 'cdx:npm:package:development'),
);
const references = new Set([metadata.component['bom-ref'], ...production.map((component) => component['bom-ref'])]);

// New with each run; CycloneDX asks for neither.
delete sbom.serialNumber;
delete metadata.timestamp;
// npm gives the name of the folder.
metadata.component.name = name;

const result = {
  ...sbom,
  metadata,
  components: production,
  dependencies: dependencies
    .filter(({ ref }) => references.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((dependency) => references.has(dependency)) })),
};
mkdirSync(`${root}/dist`, { recursive: true });
writeFileSync(`${root}/dist/sbom.cdx.json`, `${JSON.stringify(result, null, 2)}\n`);
