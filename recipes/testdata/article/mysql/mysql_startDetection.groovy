if (!new File("installed.txt").exists()) System.exit(1)
