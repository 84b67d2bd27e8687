/** Names for the topics of a server, none twice. */
let made = 0

export function freshTopic(what) {
  made += 1
  return `${what}-${made}`
}
