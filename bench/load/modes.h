// What the program can do; main.cc chooses. Each prints one line of JSON.
#pragma once

#include "options.h"

namespace load {

void RunProduce(Options& options);
void RunConsume(Options& options);
void RunTail(Options& options);
void RunLatency(Options& options);
void RunCreate(Options& options);
void RunSink(Options& options);

}  // namespace load
