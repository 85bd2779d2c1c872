println([].inject { a, b -> a + b })
