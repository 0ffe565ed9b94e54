"""`make evidence`: does the decision layer find what is there, and nothing where nothing is?"""
