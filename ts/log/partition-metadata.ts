import { SeglogError } from '../errors/seglog-error.js'
import type { Directory } from '../native/engine.js'
import { isUuid } from '../protocol/uuid.js'
import { codeOf } from './error-code.js'

export const partitionMetadataFile = 'partition.metadata'

/** The file that ties a partition's folder to a topic id (22 base64url characters), as Kafka writes it. */
export function serializePartitionMetadata(topicId: string): Buffer {
  return Buffer.from(`version: 0\ntopic_id: ${topicId}`, 'utf8')
}

/** The topic id in the file. Throws CORRUPT_LOG naming `path` if there is none. */
export function parsePartitionMetadata(bytes: Buffer, path: string): string {
  const fields = new Map<string, string>()
  for (const line of bytes.toString('utf8').split('\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) fields.set(line.slice(0, colon).trim(), line.slice(colon + 1).trim())
  }
  const topicId = fields.get('topic_id')
  if (fields.get('version') !== '0' || topicId === undefined || !isUuid(topicId)) {
    throw new SeglogError('CORRUPT_LOG', `${path} is not a partition.metadata file; restore it with the topic's id`, {
      path,
    })
  }
  return topicId
}

/** The topic id in a partition's folder, null if it has none. */
export async function readTopicId(files: Directory, folder: string): Promise<string | null> {
  const path = `${folder}/${partitionMetadataFile}`
  try {
    return parsePartitionMetadata(await files.readFile(path), path)
  } catch (error) {
    if (codeOf(error) === 'FILE_NOT_FOUND') return null
    throw error
  }
}

export function inconsistentTopicId(folder: string, found: string, wanted: string): SeglogError {
  return new SeglogError(
    'INCONSISTENT_TOPIC_ID',
    `${folder} belongs to topic id ${found}, not ${wanted}; another topic of that name was here before: move the folder away`,
    { path: folder },
  )
}
