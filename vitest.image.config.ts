import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** The tests of the image, which .ci/image builds and then runs them on. */
export default defineConfig({ test: { ...base.test, include: ['test/image/*.test.ts'], exclude: [] } });
