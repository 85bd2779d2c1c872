class Shell {
    static def quote(s) { "'" + s + "'" }
}
