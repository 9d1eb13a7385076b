"""The web page: explore the artworks, see what models predict, and review predictions.

A Django project. It shows what is imported from finished runs (`catalogue`), and keeps what people add: uploads
(`uploads`) and decisions (`review`).
"""
