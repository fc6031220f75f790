package io.plantline.runtime;

import io.plantline.config.Plugins;
import io.plantline.spi.PayloadFormatFactory;
import io.plantline.spi.PluginFactory;
import io.plantline.spi.ProcessorFactory;
import io.plantline.spi.SecretProviderFactory;
import io.plantline.spi.TargetFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.SortedMap;
import java.util.TreeMap;

/** Finds factories: those on the class path, and those in the jars of a folder, each with a class loader of its own. */
public final class PluginCatalog {
    private PluginCatalog() {}

    /** The plug-ins that come with Plantline, and those in {@code folder} if there is one. */
    public static Plugins load(Path folder) {
        List<ClassLoader> loaders = new ArrayList<>();
        loaders.add(PluginCatalog.class.getClassLoader());
        loaders.addAll(jarsIn(folder));
        return new Plugins(
                find(TargetFactory.class, loaders),
                find(ProcessorFactory.class, loaders),
                find(PayloadFormatFactory.class, loaders),
                find(SecretProviderFactory.class, loaders));
    }

    private static List<ClassLoader> jarsIn(Path folder) {
        List<ClassLoader> loaders = new ArrayList<>();
        if (!Files.isDirectory(folder)) {
            return loaders;
        }
        try (DirectoryStream<Path> jars = Files.newDirectoryStream(folder, "*.jar")) {
            for (Path jar : jars) {
                loaders.add(loader(jar));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return loaders;
    }

    private static ClassLoader loader(Path jar) throws MalformedURLException {
        URL[] urls = {jar.toUri().toURL()};
        return new URLClassLoader("plugin:" + jar.getFileName(), urls, PluginCatalog.class.getClassLoader());
    }

    @SuppressWarnings({"rawtypes", "unchecked"}) // A service type has no type argument; F is F<?> here.
    private static <F extends PluginFactory<?>> SortedMap<String, F> find(
            Class<? super F> service, List<ClassLoader> loaders) {
        SortedMap<String, F> found = new TreeMap<>();
        for (ClassLoader loader : loaders) {
            for (Object provider : ServiceLoader.load((Class) service, loader)) {
                F factory = (F) provider;
                F other = found.putIfAbsent(factory.type(), factory);
                if (other != null && other.getClass() != factory.getClass()) {
                    throw new IllegalStateException(factory.type() + " is added twice: by "
                            + other.getClass().getName() + " and by "
                            + factory.getClass().getName());
                }
            }
        }
        return found;
    }
}
