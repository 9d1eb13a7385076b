"""Images from noise: generative adversarial networks that train on hundreds of images, measured.

``networks`` builds them, ``training`` trains them, ``measures`` compares what they generate with real images.
"""
