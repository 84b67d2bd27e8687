/**
 * A disk that can lose its power: ext4 on a loop device whose image lies on a file system with reflinks. A clone of the
 * image is what the device held at that instant: everything still in the page cache of the mounted file system is gone.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

function run(command: string, ...args: string[]): string {
  const done = spawnSync(command, args, { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${done.error ?? done.stderr}`)
  return done.stdout.trim()
}

/** Why no such disk can be made here, or null. */
export function missingForLoopDisk(): string | null {
  if (process.getuid?.() !== 0) return 'needs root to mount a loop device'
  if (!existsSync('/dev/loop-control')) return 'needs loop devices'
  const absent = ['mkfs.xfs', 'mkfs.ext4', 'losetup'].filter((tool) => spawnSync(tool, ['-V']).error)
  return absent.length === 0 ? null : `needs ${absent.join(', ')}: apt-get install xfsprogs e2fsprogs util-linux`
}

export class LoopDisk {
  readonly folder: string
  private readonly host: string
  private readonly mounted: string[] = []

  constructor(megabytes: number) {
    this.folder = mkdtempSync(join(tmpdir(), 'seglog-loop-'))
    this.host = join(this.folder, 'host')
    mkdirSync(this.host)
    const hostImage = join(this.folder, 'host.img')
    run('truncate', '-s', `${megabytes * 8 + 400}M`, hostImage)
    run('mkfs.xfs', '-q', '-m', 'reflink=1', hostImage)
    run('mount', '-o', 'loop', hostImage, this.host)
    this.mounted.push(this.host)
    run('truncate', '-s', `${megabytes}M`, join(this.host, 'disk.img'))
    run('mkfs.ext4', '-q', '-F', join(this.host, 'disk.img'))
  }

  /** Mounts the disk (or a clone of it) and returns the folder. */
  mount(image = 'disk'): string {
    const at = join(this.folder, `at-${image}`)
    mkdirSync(at, { recursive: true })
    run('mount', '-o', 'loop', join(this.host, `${image}.img`), at)
    this.mounted.push(at)
    return at
  }

  unmount(image: string): void {
    const at = join(this.folder, `at-${image}`)
    run('umount', at)
    this.mounted.splice(this.mounted.indexOf(at), 1)
  }

  /** What the device holds at this instant, as a new image. */
  clone(name: string): void {
    run('cp', '--reflink=always', join(this.host, 'disk.img'), join(this.host, `${name}.img`))
  }

  remove(name: string): void {
    rmSync(join(this.host, `${name}.img`), { force: true })
  }

  /** Unmounts everything, whatever happened before. */
  dispose(): void {
    for (const at of this.mounted.reverse()) spawnSync('umount', ['-l', at])
    rmSync(this.folder, { recursive: true, force: true })
  }
}
