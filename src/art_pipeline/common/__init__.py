"""What every package may use: options, files, arrays, threads, progress, and how Keras is set up."""
