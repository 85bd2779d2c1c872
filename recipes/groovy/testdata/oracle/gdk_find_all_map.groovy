def cfg = [host: "h", port: 1, user: null]
println cfg.findAll { it.value }.keySet()
println cfg.findAll { k, v -> v != null }
println cfg.collect { k, v -> "$k:$v" }.join(",")
println cfg.find { k, v -> v == 1 }?.key
