// The shipped nginx, with the database behind it.
service {
    extend "../../nginx"
}
