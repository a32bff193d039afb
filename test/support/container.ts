import { readFileSync } from 'node:fs';
import { startProcess, waitFor, type Process } from './processes.ts';

/** An image as .ci/image leaves it: unpacked, with its configuration beside it. */
export interface Image {
  /** The folder that is its root. */
  readonly root: string;
  readonly config: ImageConfig;
}

/** As much of https://github.com/moby/docker-image-spec as is used here. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly WorkingDir: string;
  readonly ExposedPorts: Readonly<Record<string, object>>;
  readonly Healthcheck?: { readonly Test: readonly string[] };
}

/** @param inspected what `buildah inspect --type image` printed */
export function readImage(root: string, inspected: string): Image {
  const { Docker } = JSON.parse(readFileSync(inspected, 'utf8')) as { Docker: { config: ImageConfig } };
  return { root, config: Docker.config };
}

export interface ContainerOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Behind the image's entrypoint. */
  readonly args?: readonly string[];
  /** In the place of the image's entrypoint. */
  readonly command?: readonly string[];
  /** A folder of this machine that stands at {@link VOLUME} there, as with `docker run --volume`. */
  readonly volume?: string;
  /** Whether /tmp is an empty file system of its own, as with `docker run --tmpfs /tmp`. */
  readonly tmpfs?: boolean;
}

export interface Container {
  readonly process: Process;
  /** Sends a signal to its first process. */
  readonly kill: (signal: NodeJS.Signals) => Promise<void>;
  /** The pid of its first process, as this machine numbers it. */
  readonly firstPid: () => Promise<number>;
}

/** Where a volume stands: a folder that every Debian has and that is empty. */
export const VOLUME = '/srv';

/**
 * What `docker run --read-only --cap-drop ALL --security-opt no-new-privileges --network host` does with an image: its command is process 1 of a namespace of
 * its own, as the image's user, on the image's root, nothing of which can be written. The folder itself stays as it is.
 */
// A change of user makes the kernel forget the signal that `unshare --kill-child` had set, so setpriv sets it again.
const ENTER = `
  set -e
  root=$1 user=$2 volume=$3 tmpfs=$4
  shift 4
  mount --bind "$root" "$root"
  mount -o remount,bind,ro "$root"
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  [ -z "$volume" ] || mount --bind "$volume" "$root${VOLUME}"
  [ -z "$tmpfs" ] || mount -t tmpfs -o size=64m,mode=1777 tmpfs "$root/tmp"
  exec chroot "$root" /usr/bin/setpriv --reuid="\${user%:*}" --regid="\${user#*:}" --clear-groups \\
    --bounding-set=-all --no-new-privs --pdeathsig KILL /usr/bin/env -i "$@"
`;

export function startContainer({ root, config }: Image, options: ContainerOptions = {}): Container {
  const { env = {}, args = [], command = config.Entrypoint, volume = '', tmpfs = false } = options;
  const environment = [...config.Env, 'HOME=/home/node', ...Object.entries(env).map((pair) => pair.join('='))];
  const process_ = startProcess('unshare', {
    args: [
      ...['--mount', '--pid', '--fork', '--kill-child', '--', 'bash', '-c', ENTER, 'container'],
      ...[root, config.User, volume, tmpfs ? 'yes' : ''],
      ...['-C', config.WorkingDir, ...environment, ...command, ...args],
    ],
  });
  const firstPid = async () => {
    const { pid } = process_;
    const children = await waitFor(
      () => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim() || undefined,
      { timeoutMs: 5_000, what: () => 'the first process of a container' },
    );
    return Number(children);
  };
  return {
    process: process_,
    firstPid,
    kill: async (signal) => {
      process.kill(await firstPid(), signal);
    },
  };
}
