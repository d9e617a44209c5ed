"""What both frameworks share: settings, data, initial weights, tracking, and the stages of the pipeline.

Nothing in here imports torch or TensorFlow; `experiments.frameworks` loads the chosen one when it is needed.
"""
