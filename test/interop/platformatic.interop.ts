import { platformatic } from './clients/platformatic.js'
import { clientSuite } from './matrix/client-suite.js'
import { groupTests } from './matrix/groups.js'
import { recordTests } from './matrix/records.js'

clientSuite(platformatic(), (bench) => {
  recordTests(bench)
  // Records that it has read ahead are handed out again after a rebalance, on Apache Kafka too, and closing a static
  // member leaves the group.
  // Records that it has read ahead are handed out again after a rebalance, on Apache Kafka too, and closing a static
  // member leaves the group.
  groupTests(bench, { assignors: ['roundrobin'], statics: 'killed', promises: 'at least once' })
})
