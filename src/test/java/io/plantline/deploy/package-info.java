/** What ships around the program: the manifests. */
package io.plantline.deploy;
