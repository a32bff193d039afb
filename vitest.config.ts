import { configDefaults, defineConfig } from 'vitest/config';

/** Where .ci/run wants the results, as JSON. */
const resultsFile = process.env['TEST_RESULTS_FILE'];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // These need an image: .ci/image, vitest.image.config.ts.
    exclude: [...configDefaults.exclude, 'test/image/**'],
    testTimeout: 30_000,
    // Two cores are shared with the servers that the tests start.
    maxWorkers: 2,
    // Its files import folders, which Node does not.
    server: { deps: { inline: ['dt-sql-parser'] } },
    ...(resultsFile !== undefined && { reporters: ['default', ['json', { outputFile: resultsFile }]] }),
  },
});
