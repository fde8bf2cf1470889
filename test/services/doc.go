// Package services reads a mounted tree as the services of Open vStorage read
// their configuration, and tests that they would start from it, also after it was edited with ordinary tools.
//
// None of these services can run here. What their parsers accept is written down anew, from
// their sources (openvstorage/volumedriver, src/youtils and src/filesystem; openvstorage/alba, src;
// openvstorage/arakoon, src/node): types, required fields, enumerations.
package services
