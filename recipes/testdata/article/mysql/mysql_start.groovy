println "start ${args.join(' ')}"
