// What a figure depends on besides the code: the machine, the versions, the day.
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { outputOf } from './shared.mjs'

export function machine() {
  const models = cpus()
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: `${models.length} x ${models[0].model.trim()}`,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release().split('-')[0],
    system: systemName(),
    node: process.versions.node,
    java: /version "([^"]+)"/.exec(outputOf('sh', ['-c', 'java -version 2>&1']) ?? '')?.[1] ?? null,
    commit: outputOf('git', ['rev-parse', '--short', 'HEAD']),
  }
}

function systemName() {
  try {
    return /PRETTY_NAME="([^"]+)"/.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? process.platform
  } catch {
    return process.platform
  }
}
