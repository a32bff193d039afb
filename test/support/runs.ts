import fc from 'fast-check';

const LONGEST_MS = 20_000;
/** On a machine that is very busy not everything need be tried, but this share of it. */
const LEAST_SHARE = 0.1;

/**
 * Parameters of a property that is tried so often. A counterexample in a request of a thousand bytes can be made smaller for many minutes: the
 * search for the smallest one ends before the test times out, and so do the runs on a machine that is very busy. Then it is said how many
 * there were, and too few of them fail.
 */
export function runs(numRuns: number): Pick<fc.Parameters<unknown>, 'numRuns' | 'plugins'> {
  const tellInterrupted: fc.Plugin<unknown> = () => ({
    onAllRunsComplete(details) {
      if (details.failed || details.numRuns === numRuns) return;
      const fitted = `${details.numRuns} of ${numRuns} runs fitted into ${LONGEST_MS} ms`;
      console.warn(`INTERRUPTED: ${fitted}`);
      if (details.numRuns < LEAST_SHARE * numRuns) throw new Error(`too few: ${fitted}`);
    },
  });
  return { numRuns, plugins: [fc.interruptAfterTimeLimit(LONGEST_MS), tellInterrupted] };
}
