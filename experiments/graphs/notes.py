"""The words of docs/graphs.md around what is measured."""

INTRODUCTION = """# Graphs: eager and compiled

<!-- Written by `tandem graphs --write`. A test compares it with what that gives, but for the times. -->

Both frameworks run a function operation by operation as Python comes to it: *eager*. Both can make a *graph* of it
first, and compile that. Then Python runs only while the graph is made, and what Python does there may be missing
later, or done once instead of in each call. `tandem graphs` puts small functions through all of it and shows what
becomes of them; `tandem graphs shapes` asks one of the questions below alone.

- `torch.compile(f)` records a graph while Python runs. Where it can't, it *breaks* the graph: Python runs that line,
  and another graph follows. With `fullgraph=True`, an error instead of a break.
- `torch.export.export(f)` makes one whole graph ahead of time, which runs without the Python code; or gives an error.
- `tf.function(f)` runs the Python code to *trace* it into a graph, once for each kind of arguments; AutoGraph rewrites
  `if` and `while` before. With `autograph=False`, it doesn't. With `jit_compile=True`, XLA compiles the graph.

How to read the tables:

- **the framework reports**: what the framework itself counts. PyTorch: the graphs that a backend of `torch.compile`
  is given, and the breaks and recompiles in its log (`TORCH_LOGS`); a line that breaks the graph counts once, however
  often it is passed. TensorFlow: `experimental_get_tracing_count()`. Of an error, the beginning of its message.
- **answers**: every case is called several times, and each answer, printed line and list entry is compared with what
  the same calls give without compilation. *WRONG* means wrong without an error.
- **time / eager**: the processor time of a call, as a ratio to that of an eager call in the same process, on one
  thread: the shortest of 4 calls of either, the median of 11 such ratios. Eager beside itself shows how exact it is.

Except under *Operator fusion*, `torch.compile` has a backend here that runs the graphs as they are: what is looked at
is how they are made. `mark_dynamic` is left out, since PyTorch has it under a private name only;
`torch.compiler.config.dynamic_sources` does the same. Each trace of `tf.function` can be compiled by XLA more than
once, for other lengths; TensorFlow has no public count of that.
"""
NOTES = {
    "fusion": """\
Each eager operation is a kernel of its own: it reads its input from memory and writes its result there. A compiler can
make one kernel of several. PyTorch's kernels are those that its profiler sees; TensorFlow's the operations of the graph
after its own rewriting, or as traced for eager calls, of which it reports none; XLA's the instructions of the optimised
program. TensorFlow runs with oneDNN, its default on newer processors: without, `tf.function` fuses nothing here. Fusion
saves reading and writing. Where computing takes longer than that, it saves little, and the better sine decides.""",
    "data_dependent_if": """\
A graph that is made before the values are known must have both branches. `torch.cond` and `tf.cond` say so, and
AutoGraph makes `tf.cond` of a Python `if`.""",
    "data_dependent_loop": """\
While the graph is made, nobody knows how often the loop is passed: the graph must have the loop itself.""",
    "breaks": """\
All of this is ordinary Python. In a graph, it happens while the graph is made, or not at all. The rows to remember are
the WRONG ones: there is no error, and what the first call did or drew stays. `reads_a_number` is `.item()` in PyTorch
and `.numpy()` in TensorFlow.""",
    "shapes": """\
A graph may be made for one length, or for any. Then another length costs another graph, or nothing, or is an error.""",
}
