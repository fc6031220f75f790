/** The demo: a plant, a broker, a model and a lake in one process, and Plantline between them. */
package io.plantline.demo;
