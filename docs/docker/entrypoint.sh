#!/bin/sh
# As the Apache Kafka image: a server.properties in /mnt/shared/config takes the place of the one that comes with the
# image, and KAFKA_... variables beat either. Any other command of seglog runs as it is.
set -eu
mounted=${SEGLOG_MOUNTED_CONFIG:-/mnt/shared/config/server.properties}
if [ -z "${SEGLOG_CONFIG_FILE:-}" ]; then
  if [ -f "$mounted" ]; then SEGLOG_CONFIG_FILE=$mounted; else SEGLOG_CONFIG_FILE=$(dirname "$0")/server.properties; fi
  export SEGLOG_CONFIG_FILE
fi
exec seglog "$@"
