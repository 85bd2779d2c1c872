def s = new Scanner("one 2 3000000000 1.5 true\nnext line\n\nend")
println([s.hasNext(), s.next(), s.hasNextInt(), s.nextInt(), s.hasNextInt(), s.nextLong(), s.nextDouble(), s.nextBoolean()])
println "<${s.nextLine()}>" + s.nextLine() + "<${s.nextLine()}>" + s.hasNextLine() + s.nextLine() + s.hasNextLine() + s.hasNext()
try { s.nextLine() } catch (NoSuchElementException e) { println e.message }
try { s.next() } catch (NoSuchElementException e) { println e.class.name + e.message }
s = new Scanner("x y")
try { s.nextInt() } catch (InputMismatchException e) { println e.message }
println s.next() + s.next() + s.hasNext()
s = new Scanner("a,b;;c").useDelimiter("[,;]+"); println([s.next(), s.next(), s.next(), s.hasNext()])
println new Scanner(new ByteArrayInputStream("all\nof it\n".bytes)).useDelimiter("\\A").next()
def f = File.createTempFile("oracle", ".txt"); f.text = "k v\n1 2\n"
s = new Scanner(f); while (s.hasNextLine()) println s.nextLine().split(" ").toList(); s.close()
s = new Scanner(f, "UTF-8"); println s.next() + s.next() + (s.nextInt() + s.nextInt())
println new Scanner(new FileReader(f)).nextLine()
println new Scanner("").hasNext()
try { new Scanner(new File("/nowhere")) } catch (FileNotFoundException e) { println e.message }
f.delete()
