def s = "v=${w -> w << 'written'}"
println s
