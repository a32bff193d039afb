import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of package.json: wherever this file was compiled to, it lies above. */
export function packageRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) {
    if (dirname(folder) === folder) throw new Error(`no package.json above ${import.meta.dirname}`);
    folder = dirname(folder);
  }
  return folder;
}
