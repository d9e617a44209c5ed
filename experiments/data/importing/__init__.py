"""Own data made ready for the pipeline: pictures by class, an .npz or IDX files, checked and written into data/."""
