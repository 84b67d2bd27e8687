import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** What a process holds at one moment, from /proc. */
export interface ProcessSample {
  /** Descriptors: sockets, files of the data directory, files that are deleted, and the rest. */
  readonly sockets: number
  readonly dataFiles: number
  readonly deletedFiles: number
  readonly otherFiles: number
  readonly threads: number
  /** Mappings: all, those of files of the data directory, and those of files that are deleted. */
  readonly mappings: number
  readonly dataMappings: number
  readonly deletedMappings: number
  /** Bytes. */
  readonly residentBytes: number
  readonly anonymousBytes: number
  readonly privateBytes: number
}

/** Samples process `pid`, whose data directory is `data`. */
export function sampleProcess(pid: number, data: string): ProcessSample {
  const targets = descriptorsOf(pid)
  const isDeleted = (text: string) => text.endsWith(' (deleted)') && text.includes(data)
  const isData = (text: string) => text.includes(data) && !isDeleted(text)
  const sockets = targets.filter((target) => target.startsWith('socket:')).length
  const dataFiles = targets.filter(isData).length
  const deletedFiles = targets.filter(isDeleted).length
  const mappings = readFileSync(`/proc/${pid}/maps`, 'utf8').trimEnd().split('\n')
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  return {
    sockets,
    dataFiles,
    deletedFiles,
    otherFiles: targets.length - sockets - dataFiles - deletedFiles,
    threads: numberIn(status, 'Threads'),
    mappings: mappings.length,
    dataMappings: mappings.filter(isData).length,
    deletedMappings: mappings.filter(isDeleted).length,
    residentBytes: numberIn(status, 'VmRSS') * 1024,
    anonymousBytes: numberIn(status, 'RssAnon') * 1024,
    privateBytes: (numberIn(rollup, 'Private_Clean') + numberIn(rollup, 'Private_Dirty')) * 1024,
  }
}

/** Sockets of process `pid`, the listening ones among them. */
export function socketsOf(pid: number): number {
  return descriptorsOf(pid).filter((target) => target.startsWith('socket:')).length
}

function descriptorsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder).flatMap((name) => {
    try {
      return [readlinkSync(`${folder}/${name}`)]
    } catch {
      // It was closed after the folder was listed.
      return []
    }
  })
}

function numberIn(text: string, name: string): number {
  const [, number] = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text) ?? []
  if (number === undefined) throw new Error(`${name} is not in:\n${text}`)
  return Number(number)
}
