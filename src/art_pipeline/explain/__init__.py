"""Where a model looks: activation maps of networks, occlusion maps of any classifier, and boxes from both."""
