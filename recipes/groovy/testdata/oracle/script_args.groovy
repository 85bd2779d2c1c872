println args.length
println args.class.simpleName
