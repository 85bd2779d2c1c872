def größe = 5
println größe
println "${größe + 1}"
