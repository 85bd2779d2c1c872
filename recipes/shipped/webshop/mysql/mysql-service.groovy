// The shipped mysql, as it is.
service {
    extend "../../mysql"
}
