# `cpack` in the build folder makes striplight_*.deb.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME striplight)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY
  "passive probe that says when encryption of SMTP was taken away")
set(CPACK_PACKAGE_DESCRIPTION
"striplight watches SMTP from the side, in captures or on an interface. It
finds the sessions in which STARTTLS was overwritten, removed, refused or
broken, weighs them against MTA-STS policies, DANE records and the server's
own history, and files each incident with its evidence.

The package has the program, a confined service that watches interfaces, and
a timer that refreshes policies. Neither starts by itself.")
set(CPACK_PACKAGE_CONTACT "striplight maintainers <striplight@example.org>"
  CACHE STRING "Who maintains the package")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, dns-root-data")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "bash-completion, logrotate")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${CMAKE_CURRENT_SOURCE_DIR}/deb/postinst
  ${CMAKE_CURRENT_SOURCE_DIR}/deb/prerm
  ${CMAKE_CURRENT_SOURCE_DIR}/deb/postrm
  ${CMAKE_CURRENT_SOURCE_DIR}/deb/conffiles)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE
  OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
include(CPack)
