import { count, out, rollBack, setLabel, writeSamples } from './lines';
import { LABELS, LABEL_BYTES, MAX_LABELS, REQUEST, REQUEST_BYTES } from './memory';
import { isAfter, isMetricName } from './text';
import { readVarint, varint } from './varint';

const SERIES: u8 = 0x0a;
const LABEL: u8 = 0x0a;
const LABEL_NAME: u8 = 0x0a;
const LABEL_VALUE: u8 = 0x12;

/**
 * Writes the lines of the remote write 1.0 series in REQUEST from `start` on, as long as each is as nearly all are: labels first, each a name and a
 * value that are not empty, sorted, plain, one of them the metric's name; then samples and nothing else.
 *
 * @param end of the request
 * @returns where it stopped
 */
export function writeSeriesV1(start: usize, end: usize): usize {
  let at = REQUEST + start;
  const requestEnd = REQUEST + end;
  while (at + 2 <= requestEnd && load<u8>(at) == SERIES) {
    const from = readVarint(at + 1);
    const seriesEnd = from + <usize>varint;
    if (from == 0 || varint > REQUEST_BYTES || seriesEnd > requestEnd) break;
    const lines = count;
    const pos = out;
    if (!writeSeries(from, seriesEnd)) {
      rollBack(lines, pos);
      break;
    }
    at = seriesEnd;
  }
  return at - REQUEST;
}

@inline
function writeSeries(at: usize, end: usize): bool {
  let label = LABELS;
  let metricName: usize = 0;
  let previous: u32 = 0;
  while (at < end && load<u8>(at) == LABEL) {
    const nameTag = readVarint(at + 1);
    const labelEnd = nameTag + <usize>varint;
    if (nameTag == 0 || varint > REQUEST_BYTES || labelEnd > end || load<u8>(nameTag) != LABEL_NAME) return false;
    const name = readVarint(nameTag + 1);
    const nameBytes = <usize>varint;
    const valueTag = name + nameBytes;
    if (name == 0 || nameBytes == 0 || varint > REQUEST_BYTES || valueTag >= labelEnd) return false;
    const value = readVarint(valueTag + 1);
    const valueBytes = <usize>varint;
    if (value == 0 || valueBytes == 0 || varint > REQUEST_BYTES || value + valueBytes != labelEnd) return false;
    if (load<u8>(valueTag) != LABEL_VALUE || label == LABELS + MAX_LABELS * LABEL_BYTES) return false;
    const first: u32 = load<u8>(name);
    if (first <= previous) {
      // A control character is not plain; and the first label has none before it.
      if (first < previous || first == 0) return false;
      if (!isAfter(name, nameBytes, load<u32>(label - LABEL_BYTES), load<u32>(label - LABEL_BYTES, 4))) return false;
    }
    previous = first;
    if (isMetricName(name, nameBytes)) metricName = label;
    setLabel(label, name, nameBytes, value, valueBytes);
    label += LABEL_BYTES;
    at = labelEnd;
  }
  return metricName != 0 && writeSamples(at, end, label, metricName, false, 0) == end;
}
