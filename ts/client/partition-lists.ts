import type { TopicPartition } from './consumer-options.js'

/** Partitions as Kafka's messages list them: by topic. */
export interface TopicPartitions {
  readonly topic: string
  readonly partitions: readonly number[]
}

export function topicsOf(places: readonly TopicPartition[]): TopicPartitions[] {
  return [...byTopic(places)].map(([topic, ofTopic]) => ({
    topic,
    partitions: ofTopic.map(({ partition }) => partition),
  }))
}

export function placesOf(topics: readonly TopicPartitions[]): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
}

/** In the order in which each topic is first met. */
export function byTopic<P extends { readonly topic: string }>(places: readonly P[]): Map<string, P[]> {
  const topics = new Map<string, P[]>()
  for (const place of places) {
    const list = topics.get(place.topic)
    if (list === undefined) topics.set(place.topic, [place])
    else list.push(place)
  }
  return topics
}
