/** Small file systems to fill: a tmpfs, and images mounted through a loop device. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type Kind = 'tmpfs' | 'btrfs' | 'ext4' | 'xfs'

function run(command: string, ...args: string[]): void {
  const done = spawnSync(command, args, { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${done.error ?? done.stderr}`)
}

/** Why `kind` cannot be mounted here, or null. */
export function missingFor(kind: Kind): string | null {
  if (process.getuid?.() !== 0) return 'needs root to mount'
  if (kind === 'tmpfs') return null
  if (!existsSync('/dev/loop-control')) return 'needs loop devices'
  const packages = { btrfs: 'btrfs-progs', ext4: 'e2fsprogs', xfs: 'xfsprogs' }
  return spawnSync(`mkfs.${kind}`, ['-V']).error ? `needs mkfs.${kind}: apt-get install ${packages[kind]}` : null
}

export class SmallFileSystem {
  readonly path: string
  private readonly folder: string

  constructor(kind: Kind, megabytes: number) {
    this.folder = mkdtempSync(join(tmpdir(), 'seglog-small-'))
    this.path = join(this.folder, 'mount')
    mkdirSync(this.path)
    if (kind === 'tmpfs') {
      run('mount', '-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', this.path)
    } else {
      const image = join(this.folder, 'image')
      run('truncate', '-s', `${megabytes}M`, image)
      run(`mkfs.${kind}`, '-q', ...(kind === 'ext4' ? ['-F'] : ['-f']), image)
      run('mount', '-o', 'loop', image, this.path)
    }
  }

  dispose(): void {
    spawnSync('umount', ['-l', this.path])
    rmSync(this.folder, { recursive: true, force: true })
  }
}
