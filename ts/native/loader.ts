import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { SeglogError } from '../errors/seglog-error.js'
import type { NativeModule } from './binding.js'

/**
 * Where a binary may be, in the order they are tried: one compiled here was asked for, so it comes first. `SEGLOG_NATIVE`
 * names one and rules out the others.
 */
export function binaryCandidates(root: string, env: NodeJS.ProcessEnv): string[] {
  if (env.SEGLOG_NATIVE) return [resolve(env.SEGLOG_NATIVE)]
  const target = `${process.platform}-${process.arch}`
  // Which C library runs is not asked: the binary of the other one does not load, and the next is tried.
  const prebuilt = process.platform === 'linux' ? [target, `${target}-musl`] : [target]
  return [
    join(root, 'build', 'Release', 'seglog.node'),
    ...prebuilt.map((name) => join(root, 'prebuilds', name, 'seglog.node')),
  ]
}

/**
 * Loads the addon for this platform. Works from the sources and from any depth of the bundle: files are sought from the
 * package's root, which is the nearest folder above with this package's `package.json`.
 *
 * @throws SeglogError NATIVE_BINARY_MISSING with every path tried and what was wrong with it.
 */
export function loadNative(root = packageRoot(__dirname), env: NodeJS.ProcessEnv = process.env): NativeModule {
  const require = createRequire(join(root, 'package.json'))
  const tried: string[] = []
  let cause: unknown
  for (const path of binaryCandidates(root, env)) {
    if (!existsSync(path)) {
      tried.push(`  ${path}: no such file`)
      continue
    }
    try {
      return require(path) as NativeModule
    } catch (error) {
      cause = error
      tried.push(`  ${path}: ${(error as Error).message.split('\n')[0]}`)
    }
  }
  const host = `${process.platform}-${process.arch}, Node ${process.versions.node}`
  throw new SeglogError(
    'NATIVE_BINARY_MISSING',
    [
      `No native binary of seglog loads here (${host}). Tried:`,
      ...tried,
      'To compile one (needs a C++20 compiler, make and python3): npx seglog build-native',
      'To use one from elsewhere, set SEGLOG_NATIVE to its path.',
    ].join('\n'),
    { cause, path: root },
  )
}

function packageRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (isPackageRoot(folder)) return folder
    if (folder === dirname(folder)) return from
  }
}

function isPackageRoot(folder: string): boolean {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).name === 'seglog'
  } catch {
    return false
  }
}
