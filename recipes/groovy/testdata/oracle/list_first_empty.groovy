println([].first())
