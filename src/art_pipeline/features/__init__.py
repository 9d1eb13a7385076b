"""Fixed extractors: what each computes from one image, whatever the task. One file each."""
