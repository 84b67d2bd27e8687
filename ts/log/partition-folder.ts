import { randomUUID } from 'node:crypto'

const fileNameMax = 255

export function partitionFolderName(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

/**
 * The partition a folder name stands for. Null for anything that is not a partition in use: Kafka's `-delete`, `-stray`
 * and `-future` folders, its metadata log, and foreign names.
 */
export function parsePartitionFolder(name: string): { topic: string; partition: number } | null {
  if (name === '__cluster_metadata-0' || /-(delete|stray|future)$/.test(name)) return null
  const match = /^([A-Za-z0-9._-]{1,249})-(0|[1-9]\d{0,9})$/.exec(name)
  if (match === null || Number(match[2]) > 0x7fffffff) return null
  return { topic: match[1], partition: Number(match[2]) }
}

/** Kafka's name for a folder on its way out; a long topic is cut so that the name still fits. */
export function deletedFolderName(topic: string, partition: number): string {
  const suffix = `-${partition}.${randomUUID().replaceAll('-', '')}-delete`
  return topic.slice(0, fileNameMax - suffix.length) + suffix
}

export function isDeletedFolder(name: string): boolean {
  return /-\d+\.[0-9a-f]{32}-delete$/.test(name)
}
