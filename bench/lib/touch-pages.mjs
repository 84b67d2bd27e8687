/** Pages of the page cache, or of tmpfs, that the host has given to this machine before anything is measured. */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Gives the file system of `folder` as many pages as a server will write, and frees them again. The first touch of a
 * page costs a virtual machine 4 us, and else whoever comes second would write to pages that the first one has paid for.
 */
export function touchPages(folder, megabytes) {
  const file = join(folder, 'touched')
  const block = Buffer.alloc(1 << 20, 1)
  const descriptor = openSync(file, 'w')
  for (let i = 0; i < megabytes; i += 1) writeSync(descriptor, block)
  closeSync(descriptor)
  rmSync(file)
}
