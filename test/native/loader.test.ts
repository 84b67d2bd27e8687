import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { binaryCandidates, loadNative } from '../../ts/native/loader.js'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'seglog-loader-'))
  writeFileSync(join(root, 'package.json'), '{"name":"seglog"}')
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

test('the binary compiled here comes before prebuilt ones', () => {
  const names = binaryCandidates('/pkg', {})
  expect(names[0]).toBe('/pkg/build/Release/seglog.node')
  expect(names[1]).toBe(`/pkg/prebuilds/${process.platform}-${process.arch}/seglog.node`)
  if (process.platform === 'linux') expect(names[2]).toContain('-musl/')
})

test('SEGLOG_NATIVE names the only candidate', () => {
  expect(binaryCandidates('/pkg', { SEGLOG_NATIVE: '/elsewhere/seglog.node' })).toEqual(['/elsewhere/seglog.node'])
})

test('without any binary the error lists what was tried and how to compile one', () => {
  const error = caught(() => loadNative(root, {}))
  expect(error).toMatchObject({ name: 'SeglogError', code: 'NATIVE_BINARY_MISSING', retriable: false })
  for (const candidate of binaryCandidates(root, {})) expect(error.message).toContain(`${candidate}: no such file`)
  expect(error.message).toContain('npx seglog build-native')
  expect(error.message).toContain('SEGLOG_NATIVE')
})

test('a binary that does not load is named with the reason, which is the cause too', () => {
  const broken = join(root, 'build/Release/seglog.node')
  mkdirSync(join(root, 'build/Release'), { recursive: true })
  writeFileSync(broken, 'this is no shared object')
  const error = caught(() => loadNative(root, {}))
  expect(error.code).toBe('NATIVE_BINARY_MISSING')
  expect(error.message).toMatch(/seglog\.node: .*(invalid ELF header|file too short|slice|not a valid)/)
  expect(error.cause).toBeInstanceOf(Error)
})

test('the binary of this tree loads', () => {
  expect(loadNative().start).toBeTypeOf('function')
})

function caught(body: () => unknown): Error & { code?: string } {
  try {
    body()
  } catch (error) {
    return error as Error & { code?: string }
  }
  throw new Error('nothing was thrown')
}
